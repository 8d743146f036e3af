package io.apiserverupdater.lab;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Who may use the lab's apiservers by a static token. */
enum LabUser {
  ADMIN("lab-admin-token", "lab-admin", "system:masters"),
  /**
   * The real one is bound to a service account per controller; one mighty token starts faster, and
   * the rights of the controllers are not what is tested here.
   */
  CONTROLLER_MANAGER("lab-kcm-token", "system:kube-controller-manager", "system:masters"),
  KUBE_PROXY("lab-proxy-token", "system:kube-proxy", ""),
  SCHEDULER("lab-scheduler-token", "system:kube-scheduler", ""),
  /** With it a kubelet asks for its certificate. */
  NODE_JOIN("lab-join-token", "system:bootstrap:lab", "system:bootstrappers");

  private final String token;
  private final String userName;
  private final String group;

  LabUser(String token, String userName, String group) {
    this.token = token;
    this.userName = userName;
    this.group = group;
  }

  String token() {
    return token;
  }

  String userName() {
    return userName;
  }

  /** What {@code --token-auth-file} reads: a line of token, user, uid and group for each. */
  static String tokenFile() {
    return Arrays.stream(values())
        .map(user -> String.join(",", user.token, user.userName, user.userName, user.group) + "\n")
        .collect(Collectors.joining());
  }
}
