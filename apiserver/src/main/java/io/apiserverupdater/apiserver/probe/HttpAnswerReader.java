package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.printing.Printable;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads HTTP/1.1 answers (RFC 9112) to GET requests from one connection: with a length, in chunks,
 * or up to the end of the connection. Never takes in more than its bounds allow. Not for several
 * threads.
 */
final class HttpAnswerReader {
  /** All of a head, or of a trailer. kube-apiserver sends about 500 bytes. */
  static final int MAX_HEAD_BYTES = 16 * 1024;

  private static final int NO_LENGTH = -1;

  /** The words behind the number may be missing. */
  private static final Pattern STATUS_LINE =
      Pattern.compile("HTTP/1\\.[01] ([1-9][0-9]{2})( .*)?", Pattern.DOTALL);

  /** The bytes are not an HTTP answer, or too many. */
  static final class MalformedAnswerException extends IOException {
    MalformedAnswerException(String message) {
      super(message);
    }
  }

  private final InputStream in;
  private final StringBuilder line = new StringBuilder(128);
  private int headBytes;

  HttpAnswerReader(InputStream in) {
    this.in = new BufferedInputStream(in, 4096);
  }

  /**
   * Waits for one answer and reads all of it.
   *
   * @throws MalformedAnswerException when it is not HTTP or exceeds a bound
   * @throws EOFException when the connection ends before the answer does
   */
  HttpAnswer read(int maxBodyBytes) throws IOException {
    headBytes = 0;
    int status = status(readLine());
    // 101 would end HTTP on this connection, and was not asked for.
    while (status >= 100 && status < 200 && status != 101) {
      readHeaders();
      status = status(readLine());
    }
    Headers headers = readHeaders();
    ByteArrayOutputStream body = new ByteArrayOutputStream(64);
    boolean untilEnd = false;
    if (status == 204 || status == 304) {
      // These have no body, whatever the headers say.
    } else if (headers.chunked) {
      readChunks(body, maxBodyBytes);
    } else if (headers.length != NO_LENGTH) {
      readExactly(headers.length, body, maxBodyBytes);
    } else {
      untilEnd = true;
      readToEnd(body, maxBodyBytes);
    }
    return new HttpAnswer(
        status, body.toString(StandardCharsets.UTF_8), headers.close || untilEnd, headers.date);
  }

  /** Whether nothing has arrived behind the last answer. */
  boolean isDrained() throws IOException {
    return in.available() == 0;
  }

  private static final class Headers {
    long length = NO_LENGTH;
    boolean chunked;
    boolean close;
    String date = "";
  }

  private static int status(String line) throws MalformedAnswerException {
    Matcher matcher = STATUS_LINE.matcher(line);
    if (!matcher.matches()) {
      throw new MalformedAnswerException(
          "expected an HTTP/1.1 answer, found \"" + Printable.line(line, 60) + "\"");
    }
    return Integer.parseInt(matcher.group(1));
  }

  private Headers readHeaders() throws IOException {
    Headers headers = new Headers();
    for (String header = readLine(); !header.isEmpty(); header = readLine()) {
      int colon = header.indexOf(':');
      if (colon <= 0) {
        throw new MalformedAnswerException(
            "expected a header, found \"" + Printable.line(header, 60) + "\"");
      }
      String name = header.substring(0, colon);
      String value = header.substring(colon + 1).strip();
      if (name.equalsIgnoreCase("Content-Length")) {
        long length = length(value, 10);
        if (headers.length != NO_LENGTH && headers.length != length) {
          throw new MalformedAnswerException("it has two lengths");
        }
        headers.length = length;
      } else if (name.equalsIgnoreCase("Transfer-Encoding")) {
        if (!value.equalsIgnoreCase("chunked")) {
          throw new MalformedAnswerException(
              "expected the transfer encoding chunked, found \""
                  + Printable.line(value, 60)
                  + "\"");
        }
        headers.chunked = true;
      } else if (name.equalsIgnoreCase("Connection")) {
        headers.close |= value.equalsIgnoreCase("close");
      } else if (name.equalsIgnoreCase("Date")) {
        headers.date = value;
      }
    }
    return headers;
  }

  private static long length(String digits, int radix) throws MalformedAnswerException {
    // At most 15 digits: none of these overflows.
    if (!digits.matches(radix == 10 ? "[0-9]{1,15}" : "[0-9a-fA-F]{1,15}")) {
      throw new MalformedAnswerException(
          "expected a length, found \"" + Printable.line(digits, 60) + "\"");
    }
    return Long.parseLong(digits, radix);
  }

  private void readChunks(ByteArrayOutputStream body, int maxBodyBytes) throws IOException {
    headBytes = 0;
    while (true) {
      String size = readLine();
      int semicolon = size.indexOf(';');
      long length = length((semicolon < 0 ? size : size.substring(0, semicolon)).strip(), 16);
      if (length == 0) {
        break;
      }
      readExactly(length, body, maxBodyBytes);
      if (!readLine().isEmpty()) {
        throw new MalformedAnswerException("a chunk is longer than it says");
      }
    }
    while (!readLine().isEmpty()) {
      // The trailer tells nothing that counts here.
    }
  }

  private void readExactly(long length, ByteArrayOutputStream body, int maxBodyBytes)
      throws IOException {
    if (length > maxBodyBytes - body.size()) {
      throw tooLong(maxBodyBytes);
    }
    byte[] bytes = in.readNBytes((int) length);
    if (bytes.length < length) {
      throw new EOFException(AnswerFault.CLOSED);
    }
    body.writeBytes(bytes);
  }

  private void readToEnd(ByteArrayOutputStream body, int maxBodyBytes) throws IOException {
    body.writeBytes(in.readNBytes(maxBodyBytes + 1));
    if (body.size() > maxBodyBytes) {
      throw tooLong(maxBodyBytes);
    }
  }

  private static MalformedAnswerException tooLong(int maxBodyBytes) {
    return new MalformedAnswerException("the answer is longer than " + maxBodyBytes + " bytes");
  }

  /** Up to a line feed, which like a carriage return before it is not part of the line. */
  private String readLine() throws IOException {
    line.setLength(0);
    while (true) {
      int c = in.read();
      if (c < 0) {
        throw new EOFException(AnswerFault.CLOSED);
      }
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
      line.append((char) c);
    }
  }
}
