package io.apiserverupdater.bootstrap.hosts;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import io.apiserverupdater.bootstrap.files.FaultyDisk;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A process that changes the hosts file and the list to and fro until it is killed. Arguments: the
 * hosts file, the state directory, and whether renames onto the hosts file fail.
 */
final class CrashWriter {
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  /** So that no process is left behind when nobody kills it. */
  private static final int ROUNDS = 5_000;

  private CrashWriter() {}

  static Process start(Path hosts, Path state, boolean inPlace) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            CrashWriter.class.getName(),
            hosts.toString(),
            state.toString(),
            Boolean.toString(inPlace))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  public static void main(String[] arguments) throws Exception {
    Path state = Path.of(arguments[1]);
    FaultyDisk disk = new FaultyDisk(0, false, Boolean.parseBoolean(arguments[2]));
    HostsFileStore hosts = new HostsFileStore(disk, Path.of(arguments[0]), state, warning -> {});
    CandidateListStore candidates = new CandidateListStore(state, warning -> {});
    for (int round = 0; round < ROUNDS; round++) {
      byte[] address = {10, 0, 0, (byte) (11 + round % 2)};
      InetAddress ip = InetAddress.getByAddress(address);
      HostsEntry entry = HostsEntry.of("apiserver.cluster.local", ip);
      hosts.change(file -> file.point(entry), DEADLINE);
      List<ApiserverAddress> list = List.of(new ApiserverAddress(ip, 6443));
      candidates.refresh(list, list, Instant.EPOCH, DEADLINE);
      if (round == 0) {
        // Warm, so that what is cut is the writing and not the start.
        System.out.println("ready");
      }
    }
  }
}
