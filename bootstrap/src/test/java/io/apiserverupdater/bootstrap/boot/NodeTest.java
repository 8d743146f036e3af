package io.apiserverupdater.bootstrap.boot;

import static io.apiserverupdater.bootstrap.boot.BootSequenceTest.address;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.IpAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NodeTest {
  private static final List<ApiserverAddress> CANDIDATES =
      List.of(address("10.0.0.1"), address("10.0.0.2"), address("10.0.0.3"));

  @TempDir Path root;

  private void file(String path, String content) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content + "\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"proc/sys/kernel/hostname", "sys/class/dmi/id/product_uuid"})
  void clonesDoNotAllAskTheSameControlPlane(String differs) throws IOException {
    file("etc/machine-id", "uninitialized");
    Set<ApiserverAddress> first = new HashSet<>();
    for (int i = 0; i < 30; i++) {
      file(differs, "node-" + i);
      first.add(CandidateOrder.of(CANDIDATES, Node.identity(root)).get(0));
    }
    assertEquals(Set.copyOf(CANDIDATES), first);
  }

  @Test
  void nodeKeepsItsIdentityAndNeedsNoneOfTheFiles() throws IOException {
    assertEquals("", Node.identity(root));
    file("etc/machine-id", "6e6f6465");
    assertEquals("6e6f6465/", Node.identity(root));
    file("proc/sys/kernel/hostname", "w1");
    assertEquals("6e6f6465/w1/", Node.identity(root));
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1 ::1 10.0.0.2, 10.0.0.2:6443",
    "127.0.0.1 10.9.9.9, 127.0.0.1:6443",
    "'', ''",
    "127.0.0.1 ::1 fe80::1 169.254.3.4, ''"
  })
  void ownApiserverIsNotGuessedBeforeTheNodeHasAnAddress(String own, String expected) {
    List<InetAddress> addresses =
        Arrays.stream(own.split(" ", -1)).flatMap(ip -> IpAddress.parse(ip).stream()).toList();
    assertEquals(
        expected,
        Node.localApiserver(CANDIDATES, addresses, 6443)
            .map(ApiserverAddress::toString)
            .orElse(""));
  }
}
