package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Map;

/** An object as it should be: only the fields and labels that are ours to set. */
public sealed interface DesiredObject {
  String name();

  /** The labels that must be there; others are left alone. */
  Map<String, String> labels();

  /** A slice of the target Service. */
  record Slice(
      String name,
      AddressFamily family,
      Map<String, String> labels,
      List<Port> ports,
      List<Endpoint> endpoints)
      implements DesiredObject {
    public Slice {
      labels = Map.copyOf(labels);
      ports = List.copyOf(ports);
      endpoints = List.copyOf(endpoints);
    }
  }

  /** The target's v1 Endpoints object, with one subset. */
  record LegacyEndpoints(String name, Map<String, String> labels, Endpoints.Subset subset)
      implements DesiredObject {
    public LegacyEndpoints {
      labels = Map.copyOf(labels);
    }
  }
}
