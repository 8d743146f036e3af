package io.apiserverupdater.updater.events;

/** Why an {@link Event} was recorded: a stable word that people and scripts filter by. */
public enum EventReason {
  /** This replica has begun to lead. */
  LEADER_ELECTED("LeaderElected", Type.NORMAL),
  /** This replica does not lead any more. */
  LEADER_LOST("LeaderLost", Type.NORMAL),
  /** A member is ready by this replica's probes, and was not. */
  MEMBER_READY("MemberReady", Type.NORMAL),
  /** A member is not ready any more by this replica's probes; the message has the evidence. */
  MEMBER_UNREADY("MemberUnready", Type.WARNING),
  /** A member's certificate expires within 30 days, or has expired. */
  CERTIFICATE_EXPIRING("CertificateExpiring", Type.WARNING),
  /** A person has taken a member out for a while. */
  MEMBER_DRAINED("MemberDrained", Type.NORMAL),
  /** It is not taken out any more; the message says why. */
  MEMBER_UNDRAINED("MemberUndrained", Type.NORMAL),
  /** The word of the probes counts again. */
  GATE_NORMAL("GateNormal", Type.NORMAL),
  /** No member is ready, so all are published as ready. */
  FAILED_OPEN("FailedOpen", Type.WARNING),
  /** No member answers this replica, so what is published stays. */
  HOLDING("Holding", Type.WARNING),
  /** Something is not written; the message says why and what to do. */
  REFUSED("Refused", Type.WARNING),
  /** Nothing is refused any more. */
  ACCEPTED("Accepted", Type.NORMAL);

  /** As in an Event of Kubernetes. */
  public enum Type {
    NORMAL("Normal"),
    WARNING("Warning");

    private final String word;

    Type(String word) {
      this.word = word;
    }

    @Override
    public String toString() {
      return word;
    }
  }

  private final String word;
  private final Type type;

  EventReason(String word, Type type) {
    this.word = word;
    this.type = type;
  }

  public Type type() {
    return type;
  }

  /** One CamelCase word, as the reason of an Event of Kubernetes. */
  @Override
  public String toString() {
    return word;
  }
}
