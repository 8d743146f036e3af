package io.apiserverupdater.apiserver.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.time.Deadline;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TimedSocketTest {
  private static final Duration SOON = Duration.ofMillis(100);
  private static final Duration LONG = Duration.ofMinutes(10);

  private ServerSocket server;
  private TimedSocket socket;
  private Socket peer;

  @BeforeEach
  void connect() throws IOException {
    server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    socket = TimedSocket.open(Deadline.after(LONG));
    socket.connect((InetSocketAddress) server.getLocalSocketAddress());
    peer = server.accept();
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    peer.close();
    server.close();
  }

  @Test
  void waitWithoutNewsLeavesAllAsItWas() throws Exception {
    socket.extendTo(Deadline.after(SOON));
    assertFalse(socket.awaitInput());
    assertFalse(socket.timedOut());
    socket.extendTo(Deadline.after(LONG));
    peer.getOutputStream().write("late".getBytes(StandardCharsets.US_ASCII));
    assertEquals("late", new String(socket.getInputStream().readNBytes(4), StandardCharsets.UTF_8));
  }

  @Test
  void deadlineThatIsNoticedLongAfterItsEndTellsThatThisSideDidNotRun() throws Exception {
    Deadline met = Deadline.after(SOON);
    socket.extendTo(met);
    assertFalse(socket.awaitInput());
    // Unless the machine held this test up.
    assertFalse(socket.heldUp() && !met.isLongOver());
    Deadline missed = Deadline.after(Duration.ofMillis(1));
    while (!missed.isLongOver()) {
      Thread.onSpinWait();
    }
    socket.extendTo(missed);
    assertFalse(socket.awaitInput());
    assertTrue(socket.heldUp());
  }

  @Test
  void whatWasReadAheadIsNewsToAWait() throws Exception {
    peer.getOutputStream().write("ab".getBytes(StandardCharsets.US_ASCII));
    assertEquals('a', socket.getInputStream().read());
    assertTrue(socket.awaitInput());
  }

  @Test
  void whatWasSentBeforeTheEndIsStillRead() throws Exception {
    peer.getOutputStream().write(new byte[10_000]);
    peer.close();
    InputStream in = socket.getInputStream();
    assertEquals(10_000, in.readAllBytes().length);
    assertEquals(-1, in.read());
    assertEquals("closed by the server", socket.howLost());
  }

  @Test
  void writeThatNobodyReadsMeetsTheDeadline() {
    socket.extendTo(Deadline.after(SOON));
    assertThrows(
        SocketTimeoutException.class, () -> socket.getOutputStream().write(new byte[64 << 20]));
    assertTrue(socket.timedOut());
  }

  @Test
  void longWriteArrivesWhole() throws Exception {
    FutureTask<byte[]> received = new FutureTask<>(() -> peer.getInputStream().readAllBytes());
    new Thread(received, "reader").start();
    byte[] sent = new byte[1 << 20];
    for (int i = 0; i < sent.length; i++) {
      sent[i] = (byte) (i * 31);
    }
    socket.getOutputStream().write(sent, 1, sent.length - 1);
    socket.close();
    assertArrayEquals(Arrays.copyOfRange(sent, 1, sent.length), received.get(10, TimeUnit.SECONDS));
  }

  @Test
  void closingWakesWhoWaits() throws Exception {
    assertInstanceOf(SocketException.class, endOfWait(waiting -> socket.close()));
  }

  @Test
  void interruptEndsAWait() throws Exception {
    assertInstanceOf(InterruptedIOException.class, endOfWait(Thread::interrupt));
  }

  @Test
  void neitherEndNorFailureLeavesAFileOpen() throws Exception {
    socket.close();
    long before = OpenFiles.count();
    InetSocketAddress refused = (InetSocketAddress) server.getLocalSocketAddress();
    server.close();
    for (int i = 0; i < 100; i++) {
      TimedSocket attempt = TimedSocket.open(Deadline.after(LONG));
      assertThrows(IOException.class, () -> attempt.connect(refused));
      attempt.close();
    }
    assertTrue(OpenFiles.count() < before + 50, () -> before + " files open before");
  }

  private interface Ending {
    void end(Thread waiting) throws IOException;
  }

  /** How a wait ends that something else ends. */
  private IOException endOfWait(Ending ending) throws Exception {
    FutureTask<IOException> wait =
        new FutureTask<>(() -> assertThrows(IOException.class, () -> socket.awaitInput()));
    Thread waiting = new Thread(wait, "waiting");
    waiting.start();
    while (waiting.isAlive() && !isInSelect(waiting)) {
      Thread.onSpinWait();
    }
    ending.end(waiting);
    return wait.get(10, TimeUnit.SECONDS);
  }

  private static boolean isInSelect(Thread thread) {
    return Stream.of(thread.getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("lockAndDoSelect"));
  }
}
