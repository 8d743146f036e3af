package io.apiserverupdater.updater.server;

import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * What is served under one path.
 *
 * @param path from the root, such as {@code /}
 * @param headers what else the answer's head says, name to value
 * @param text asked at each request, with the parameters of the query as they came
 */
public record Document(
    String path,
    String contentType,
    Map<String, String> headers,
    Function<Set<String>, String> text) {
  public Document {
    headers = Map.copyOf(headers);
  }
}
