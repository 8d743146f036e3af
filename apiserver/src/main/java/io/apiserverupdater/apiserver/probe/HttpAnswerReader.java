package io.apiserverupdater.apiserver.probe;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.apiserverupdater.apiserver.probe.HttpAnswerHead.Framing;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reads HTTP/1.1 answers (RFC 9112) from one connection: with a length, in chunks, or up to the end
 * of the connection; as a whole, or line by line as it comes. Never takes in more than its bounds
 * allow. Not for several threads.
 */
final class HttpAnswerReader {
  /** All of a head, or of a trailer. kube-apiserver sends about 500 bytes. */
  static final int MAX_HEAD_BYTES = 16 * 1024;

  /** The bytes are not an HTTP answer, or too many. */
  static final class MalformedAnswerException extends IOException {
    MalformedAnswerException(String message) {
      super(message);
    }
  }

  private final InputStream in;
  private final byte[] buffer = new byte[4096];
  private int position;
  private int limit;
  private final StringBuilder line = new StringBuilder(128);
  private int headBytes;

  /** Of the body, or of the chunk, that is being read: the bytes that have not been taken. */
  private long left;

  private Framing framing = Framing.NONE;

  HttpAnswerReader(InputStream in) {
    this.in = in;
  }

  /**
   * Waits for one answer and reads its head; its body is to be read next.
   *
   * @throws MalformedAnswerException when it is not HTTP or exceeds a bound
   * @throws EOFException when the connection ends before the answer does
   */
  HttpAnswerHead readHead() throws IOException {
    headBytes = 0;
    String first = readLine();
    int status = status(first);
    // 101 would end HTTP on this connection, and was not asked for.
    while (status >= 100 && status < 200 && status != 101) {
      Headers unusedHeaders = readHeaders();
      first = readLine();
      status = status(first);
    }
    Headers headers = readHeaders();
    HttpAnswerHead head =
        new HttpAnswerHead(
            status,
            first.substring(Math.min(13, first.length())),
            framing(status, headers),
            headers.length.orElse(0),
            headers.close,
            headers.retryAfter,
            headers.warnings);
    framing = head.framing();
    left = framing == Framing.TO_THE_END ? Long.MAX_VALUE : head.length();
    headBytes = 0;
    return head;
  }

  private static Framing framing(int status, Headers headers) {
    if (status == 204 || status == 304) {
      return Framing.NONE;
    }
    if (headers.chunked) {
      return Framing.CHUNKED;
    }
    return headers.length.isPresent() ? Framing.LENGTH : Framing.TO_THE_END;
  }

  /**
   * Reads all that is left of the body.
   *
   * @throws MalformedAnswerException when it is not HTTP or exceeds a bound
   * @throws EOFException when the connection ends before the answer does
   */
  byte[] readBody(int maxBodyBytes) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream(64);
    while (true) {
      boolean declared = framing == Framing.LENGTH || framing == Framing.CHUNKED;
      if (declared && left > maxBodyBytes - body.size()) {
        throw tooLong(maxBodyBytes);
      }
      int count = available();
      if (count == 0) {
        return body.toByteArray();
      }
      if (count > maxBodyBytes - body.size()) {
        throw tooLong(maxBodyBytes);
      }
      body.write(buffer, position, count);
      taken(count);
    }
  }

  /**
   * Waits for the next line of the body.
   *
   * @return without its line feed; empty at the end of the body
   * @throws EOFException when it ends within a line
   */
  Optional<String> readBodyLine(int maxBytes) throws IOException {
    ByteArrayOutputStream start = new ByteArrayOutputStream(0);
    while (true) {
      int count = available();
      if (count == 0) {
        if (start.size() > 0) {
          throw new EOFException("the answer ended within a line");
        }
        return Optional.empty();
      }
      int length = 0;
      while (length < count && buffer[position + length] != '\n') {
        length++;
      }
      if (length > maxBytes - start.size()) {
        throw new MalformedAnswerException("a line is longer than " + maxBytes + " bytes");
      }
      if (length < count && start.size() == 0) {
        String whole = new String(buffer, position, length, UTF_8);
        taken(length + 1);
        return Optional.of(whole);
      }
      start.write(buffer, position, length);
      taken(Math.min(count, length + 1));
      if (length < count) {
        return Optional.of(start.toString(UTF_8));
      }
    }
  }

  /** How many bytes of the body are in the buffer, at least one; 0 at the end of the body. */
  private int available() throws IOException {
    if (left == 0 && framing == Framing.CHUNKED) {
      nextChunk();
    }
    if (left == 0 || framing == Framing.NONE) {
      return 0;
    }
    if (position == limit && !fill()) {
      if (framing == Framing.TO_THE_END) {
        left = 0;
        return 0;
      }
      throw new EOFException("the connection ended within the answer");
    }
    return (int) Math.min(left, limit - position);
  }

  private void taken(int count) throws IOException {
    position += count;
    if (framing == Framing.TO_THE_END) {
      return;
    }
    left -= count;
    if (left == 0 && framing == Framing.CHUNKED && !readLine().isEmpty()) {
      throw new MalformedAnswerException("a chunk is longer than it says");
    }
  }

  /** After the last chunk there is no body any more. */
  private void nextChunk() throws IOException {
    headBytes = 0;
    String size = readLine();
    int semicolon = size.indexOf(';');
    left = length((semicolon < 0 ? size : size.substring(0, semicolon)).strip(), 16);
    if (left == 0) {
      framing = Framing.NONE;
      while (!readLine().isEmpty()) {
        // The trailer tells nothing that counts here.
      }
    }
  }

  /** Whether nothing has arrived behind the last answer. */
  boolean isDrained() throws IOException {
    return position == limit && in.available() == 0;
  }

  private static final class Headers {
    OptionalLong length = OptionalLong.empty();
    boolean chunked;
    boolean close;
    Optional<String> retryAfter = Optional.empty();
    List<String> warnings = List.of();
  }

  /** {@code HTTP/1.1 200 OK}; the words behind the number may be missing. */
  private static int status(String line) throws MalformedAnswerException {
    boolean version = line.startsWith("HTTP/1.1 ") || line.startsWith("HTTP/1.0 ");
    if (version && line.length() >= 12 && (line.length() == 12 || line.charAt(12) == ' ')) {
      int status = 0;
      for (int i = 9; i < 12; i++) {
        int digit = line.charAt(i) - '0';
        if (digit < 0 || digit > 9) {
          throw notHttp(line);
        }
        status = status * 10 + digit;
      }
      if (status >= 100) {
        return status;
      }
    }
    throw notHttp(line);
  }

  private static MalformedAnswerException notHttp(String line) {
    return new MalformedAnswerException(
        "expected an HTTP/1.1 answer, found \"" + Printable.of(line, 60) + "\"");
  }

  private Headers readHeaders() throws IOException {
    Headers headers = new Headers();
    for (String header = readLine(); !header.isEmpty(); header = readLine()) {
      int colon = header.indexOf(':');
      if (colon <= 0) {
        throw new MalformedAnswerException(
            "expected a header, found \"" + Printable.of(header, 60) + "\"");
      }
      String name = header.substring(0, colon);
      String value = header.substring(colon + 1).strip();
      if (name.equalsIgnoreCase("Content-Length")) {
        long length = length(value, 10);
        if (headers.length.orElse(length) != length) {
          throw new MalformedAnswerException("it has two lengths");
        }
        headers.length = OptionalLong.of(length);
      } else if (name.equalsIgnoreCase("Transfer-Encoding")) {
        if (!value.equalsIgnoreCase("chunked")) {
          throw new MalformedAnswerException(
              "expected the transfer encoding chunked, found \"" + Printable.of(value, 60) + "\"");
        }
        headers.chunked = true;
      } else if (name.equalsIgnoreCase("Connection")) {
        headers.close |= value.equalsIgnoreCase("close");
      } else if (name.equalsIgnoreCase("Retry-After")) {
        headers.retryAfter = Optional.of(value);
      } else if (name.equalsIgnoreCase("Warning")) {
        headers.warnings = new ArrayList<>(headers.warnings);
        headers.warnings.add(value);
      }
    }
    return headers;
  }

  private static long length(String digits, int radix) throws MalformedAnswerException {
    // At most 15 digits: none of these overflows.
    boolean plain = !digits.isEmpty() && digits.length() <= 15;
    for (int i = 0; plain && i < digits.length(); i++) {
      plain = digits.charAt(i) < 128 && Character.digit(digits.charAt(i), radix) >= 0;
    }
    if (!plain) {
      throw new MalformedAnswerException(
          "expected a length, found \"" + Printable.of(digits, 60) + "\"");
    }
    return Long.parseLong(digits, radix);
  }

  private static MalformedAnswerException tooLong(int maxBodyBytes) {
    return new MalformedAnswerException("the answer is longer than " + maxBodyBytes + " bytes");
  }

  /** Up to a line feed, which like a carriage return before it is not part of the line. */
  private String readLine() throws IOException {
    line.setLength(0);
    while (true) {
      if (position == limit && !fill()) {
        throw new EOFException(
            headBytes == 0
                ? "the connection ended without an answer"
                : "the connection ended within the answer");
      }
      char c = (char) (buffer[position++] & 0xFF);
      if (++headBytes > MAX_HEAD_BYTES) {
        throw new MalformedAnswerException(
            "the head of the answer is longer than " + MAX_HEAD_BYTES + " bytes");
      }
      if (c == '\n') {
        int end = line.length();
        if (end > 0 && line.charAt(end - 1) == '\r') {
          line.setLength(end - 1);
        }
        return line.toString();
      }
      line.append(c);
    }
  }

  private boolean fill() throws IOException {
    position = 0;
    limit = Math.max(0, in.read(buffer, 0, buffer.length));
    return limit > 0;
  }
}
