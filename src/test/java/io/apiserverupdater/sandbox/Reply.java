package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;

/** What is to be answered, before it becomes bytes. */
sealed interface Reply {
  /** A JSON document, or a Status. */
  record Document(int code, JsonObject json) implements Reply {}

  record Text(int code, String contentType, String text) implements Reply {}

  record Watch(WatchRequest request) implements Reply {}
}
