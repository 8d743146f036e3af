package io.apiserverupdater.bootstrap.api;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.util.List;

/** The cluster's answer about its apiservers. */
public sealed interface SourceAnswer {

  /**
   * The apiservers that are members, ready or not.
   *
   * @param addresses sorted, without repetition, never empty
   */
  record Members(List<ApiserverAddress> addresses) implements SourceAnswer {
    public Members {
      addresses = List.copyOf(addresses);
      if (addresses.isEmpty()) {
        throw new IllegalArgumentException("members without a single address");
      }
    }
  }

  /**
   * No answer that can be used; what is known of the apiservers stays as it is.
   *
   * @param message one or more sentences for a person: what, where, expected, found, what to do
   */
  record Failed(Reason reason, String message) implements SourceAnswer {}

  /** Why there is no answer. */
  enum Reason {
    /** The kubeconfig, or a file that it names, is missing or cannot be used. */
    KUBECONFIG,
    /** No apiserver was reached. */
    UNREACHABLE,
    /** The server is not who it should be. */
    CERTIFICATE,
    /** 401: the server does not accept the credential. */
    UNAUTHENTICATED,
    /** 403: the node may not read the slice. */
    FORBIDDEN,
    /** 404: there is no such slice, or no such API. */
    NOT_FOUND,
    /** Another status than 200. */
    STATUS,
    /** Not the JSON of EndpointSlices. */
    MALFORMED,
    /** Well formed, and without a single address: refused, as nothing may empty the list. */
    EMPTY
  }
}
