package io.apiserverupdater.lab;

import com.google.gson.Gson;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes kubeconfigs, for the lab's CA. */
record Kubeconfigs(LabFiles files, Path caFile) {

  /** Writes one of that name with one context, for a token. */
  Path write(String fileName, String server, String token) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("apiVersion", "v1");
    config.put("kind", "Config");
    config.put("current-context", "lab");
    config.put(
        "clusters",
        List.of(
            Map.of(
                "name",
                "lab",
                "cluster",
                Map.of("server", server, "certificate-authority", caFile.toString()))));
    config.put("users", List.of(Map.of("name", fileName, "user", Map.of("token", token))));
    config.put(
        "contexts",
        List.of(Map.of("name", "lab", "context", Map.of("cluster", "lab", "user", fileName))));
    // JSON is YAML.
    return files.write(fileName + ".kubeconfig", new Gson().toJson(config));
  }
}
