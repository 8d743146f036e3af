package io.apiserverupdater.apiserver.probe;

/** No answer that counts came from an apiserver; {@link #result} tells why. */
public class UnreachableException extends Exception {
  private final transient ProbeResult.Unreachable result;

  UnreachableException(ProbeResult.Reason reason, String detail) {
    this(new ProbeResult.Unreachable(reason, detail));
  }

  UnreachableException(ProbeResult.Unreachable result) {
    // Without a stack trace: it is an answer, and a dead member gives it several times a second.
    super(result.detail(), null, false, false);
    this.result = result;
  }

  public ProbeResult.Unreachable result() {
    return result;
  }
}
