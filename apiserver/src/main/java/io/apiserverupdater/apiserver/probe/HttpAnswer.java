package io.apiserverupdater.apiserver.probe;

/**
 * The answer to one request.
 *
 * @param body empty when there is none
 * @param lastOnConnection whether the server will not answer another request on this connection
 * @param date the header of that name; empty when there is none
 */
record HttpAnswer(int status, String body, boolean lastOnConnection, String date) {

  /** What a server says stays out of logs. */
  @Override
  public String toString() {
    return "HttpAnswer[status=" + status + ", body=" + body.length() + " bytes]";
  }
}
