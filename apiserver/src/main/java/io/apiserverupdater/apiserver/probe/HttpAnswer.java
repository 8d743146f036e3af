package io.apiserverupdater.apiserver.probe;

/**
 * The answer to one request.
 *
 * @param body empty when there is none
 * @param lastOnConnection whether the server will not answer another request on this connection
 */
record HttpAnswer(int status, String body, boolean lastOnConnection) {

  /** What a server says stays out of logs. */
  @Override
  public String toString() {
    return "HttpAnswer[status=" + status + ", body=" + body.length() + " bytes]";
  }
}
