package io.apiserverupdater.apiserver.address;

/** Chooses the apiservers' port of a Service or slice. */
public final class ApiserverPort {
  /** Where apiservers listen unless they are told otherwise. */
  public static final int DEFAULT = 6443;

  private ApiserverPort() {}

  /** Whether apiservers name theirs so, as they do in {@code default/kubernetes}. */
  public static boolean is(String name, String protocol) {
    return name.equals("https") && protocol.equals("TCP");
  }
}
