package io.apiserverupdater.tour;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;

/** Asks an updater whether it is ready. */
final class Readyz {
  private static final int LIMIT_MILLIS = 1000;

  private Readyz() {}

  /**
   * @param listener {@code ADDRESS:PORT}
   */
  static boolean ok(String listener) {
    try {
      HttpURLConnection connection =
          (HttpURLConnection) URI.create("http://" + listener + "/readyz").toURL().openConnection();
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
