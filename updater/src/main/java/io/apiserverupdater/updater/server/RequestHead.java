package io.apiserverupdater.updater.server;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The head of an HTTP/1.x request, as much of it as the status server needs (RFC 9112).
 *
 * @param path decoded, without the query
 * @param parameters of the query, as they came
 * @param accept the header of that name, in small letters and without blanks; empty if there is
 *     none
 * @param keepAlive whether another request may follow on the connection
 */
record RequestHead(
    String method, String path, Set<String> parameters, String accept, boolean keepAlive) {
  private static final String ACCEPT = "accept:";

  RequestHead {
    parameters = Set.copyOf(parameters);
  }

  /**
   * Reads the lines of a head.
   *
   * @param text without the empty line at its end
   * @return empty when it is none of HTTP/1.x
   */
  static Optional<RequestHead> parse(String text) {
    List<String> lines = Arrays.asList(text.split("\r\n", -1));
    String[] words = lines.get(0).split(" ", -1);
    if (words.length != 3 || !words[2].startsWith("HTTP/1.")) {
      return Optional.empty();
    }
    List<String> fields =
        lines.stream().skip(1).map(line -> line.toLowerCase(Locale.ROOT).replace(" ", "")).toList();
    // A body is not read, so nothing after it can be.
    boolean body =
        fields.stream()
            .anyMatch(
                field ->
                    field.startsWith("transfer-encoding:")
                        || (field.startsWith("content-length:")
                            && !field.equals("content-length:0")));
    boolean keepAlive =
        words[2].equals("HTTP/1.0")
            ? fields.contains("connection:keep-alive")
            : !fields.contains("connection:close");
    String accept =
        fields.stream()
            .filter(field -> field.startsWith(ACCEPT))
            .map(field -> field.substring(ACCEPT.length()))
            .collect(Collectors.joining(","));
    try {
      URI target = new URI(words[1]);
      String path = target.getPath();
      return path == null
          ? Optional.empty()
          : Optional.of(
              new RequestHead(
                  words[0], path, parameters(target.getRawQuery()), accept, keepAlive && !body));
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  private static Set<String> parameters(@Nullable String query) {
    return query == null
        ? Set.of()
        : Arrays.stream(query.split("&", -1)).collect(Collectors.toUnmodifiableSet());
  }
}
