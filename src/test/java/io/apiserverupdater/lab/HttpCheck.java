package io.apiserverupdater.lab;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;

/** Is a plain-HTTP health endpoint content? */
public final class HttpCheck {
  private static final int LIMIT_MILLIS = 1_000;

  private HttpCheck() {}

  /** Whether it answers with 200, within 1 s for the connection and 1 s for the answer. */
  public static boolean ok(String url) {
    try {
      HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
      connection.setConnectTimeout(LIMIT_MILLIS);
      connection.setReadTimeout(LIMIT_MILLIS);
      try {
        return connection.getResponseCode() == 200;
      } finally {
        connection.disconnect();
      }
    } catch (IOException e) {
      return false;
    }
  }
}
