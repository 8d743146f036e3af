package io.apiserverupdater.bootstrap.check;

import static io.apiserverupdater.bootstrap.check.NodeFilesTest.ip;
import static io.apiserverupdater.bootstrap.check.NodeFilesTest.unknown;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.check.Facts.UnitState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class NodeProgramsTest {
  @TempDir Path folder;

  private NodePrograms programs() {
    return new NodePrograms(List.of(folder), folder);
  }

  private Reading<Map<String, UnitState>> units() {
    return programs().units("kubelet.service", "kube-proxy.service");
  }

  /** A stand-in that prints a text and ends with a code. */
  private void program(String name, String output, int code) throws IOException {
    Path text = Files.writeString(folder.resolve(name + ".out"), output);
    String script = "while read -r l; do echo \"$l\"; done <" + text + "\nexit " + code;
    Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void missingProgramsAreToldByName() {
    assertEquals("there is no program getent", unknown(programs().resolution("x")));
    assertEquals("there is no program systemctl", unknown(units()));
  }

  @Test
  void resolvesAsLibcDoes() throws IOException {
    program(
        "getent",
        """
        10.96.0.64      STREAM apiserver.cluster.local
        10.96.0.64      DGRAM
        fd00::64        STREAM
        fe80::1%eth0    STREAM
        """,
        0);
    assertEquals(
        new Reading.Known<>(List.of(ip("10.96.0.64"), ip("fd00::64"))),
        programs().resolution("apiserver.cluster.local"));
  }

  @Test
  void unknownNameLeadsNowhere() throws IOException {
    program("getent", "", 2);
    assertEquals(new Reading.Known<>(List.of()), programs().resolution("x"));
  }

  @Test
  void refusalIsToldInItsWords() throws IOException {
    program("getent", "no such database\n", 1);
    assertEquals("getent ended with 1: no such database", unknown(programs().resolution("x")));
    program("systemctl", "System has not been booted with systemd\nas init\n", 1);
    assertTrue(unknown(units()).endsWith("booted with systemd as init"));
  }

  @Test
  void readsUnitsAndTheEnvironmentOfWhatRuns() throws IOException {
    program(
        "systemctl",
        """
        Id=snap.kubelet.service
        Names=snap.kubelet.service kubelet.service
        LoadState=loaded
        ActiveState=active
        UnitFileState=enabled
        MainPID=77
        Environment=A=configured
        InactiveExitTimestampMonotonic=17

        Environment=B=1 "C=two words"
        Id=kube-proxy.service
        LoadState=loaded
        ActiveState=inactive
        UnitFileState=disabled
        MainPID=0

        Id=apiserver-bootstrap.service
        LoadState=not-found
        ActiveState=inactive
        InactiveExitTimestampMonotonic=0
        Before=kubelet.service snap.kubelet.service shutdown.target
        WantedBy=snap.kubelet.service a.service
        """,
        0);
    Files.createDirectory(folder.resolve("77"));
    Files.writeString(folder.resolve("77/environ"), "HTTP2_PING_TIMEOUT_SECONDS=5\0PATH=/bin\0");
    UnitState kubelet =
        new UnitState(
            "snap.kubelet.service",
            "loaded",
            "active",
            "enabled",
            Set.of("HTTP2_PING_TIMEOUT_SECONDS", "PATH"),
            true,
            Set.of());
    assertEquals(
        new Reading.Known<>(
            Map.of(
                "snap.kubelet.service",
                kubelet,
                "kubelet.service",
                kubelet,
                "kube-proxy.service",
                new UnitState(
                    "kube-proxy.service",
                    "loaded",
                    "inactive",
                    "disabled",
                    Set.of("B", "C"),
                    false,
                    Set.of()),
                "apiserver-bootstrap.service",
                new UnitState(
                    "apiserver-bootstrap.service",
                    "not-found",
                    "inactive",
                    "",
                    Set.of(),
                    false,
                    Set.of("snap.kubelet.service")))),
        units());
  }

  @Test
  void tellsTheUnitOfARunningProgram() throws IOException {
    assertEquals(Optional.empty(), programs().unitOf("kubelet"));
    Files.createDirectory(folder.resolve("77"));
    Files.writeString(folder.resolve("77/comm"), "kubelet\n");
    for (String cgroup :
        List.of(
            "0::/system.slice/snap.kubelet.service\n",
            "4:memory:/x\n1:name=systemd:/system.slice/snap.kubelet.service\n0::/\n")) {
      Files.writeString(folder.resolve("77/cgroup"), cgroup);
      assertEquals(Optional.of("snap.kubelet.service"), programs().unitOf("kubelet"));
    }
    for (String pod :
        List.of(
            "0::/system.slice/containerd.service/kubepods-pod1/abc\n",
            // With both hierarchies only systemd's own is kept.
            """
            12:memory:/system.slice/containerd.service
            1:name=systemd:/kubepods/besteffort/pod1/abc
            0::/system.slice/containerd.service
            """)) {
      Files.writeString(folder.resolve("77/cgroup"), pod);
      assertEquals(Optional.empty(), programs().unitOf("kubelet"));
    }
  }

  @Test
  void tellsWhetherTheClockIsSynchronized() throws IOException {
    program("timedatectl", "no\n", 0);
    assertEquals(new Reading.Known<>(false), programs().clockSynchronized());
    program("timedatectl", "yes\n", 0);
    assertEquals(new Reading.Known<>(true), programs().clockSynchronized());
    program("timedatectl", "Failed to connect to bus\n", 1);
    assertTrue(unknown(programs().clockSynchronized()).endsWith("connect to bus"));
  }

  @Test
  void environmentOfARunningProgramWhoeverStartedIt() throws IOException {
    for (String pid : List.of("1", "77", "78", "self")) {
      Files.createDirectory(folder.resolve(pid));
    }
    Files.writeString(folder.resolve("1/comm"), "systemd\n");
    Files.writeString(folder.resolve("77/comm"), "kube-proxy\n");
    Files.writeString(folder.resolve("77/environ"), "HTTP2_PING_TIMEOUT_SECONDS=5\0PATH=/bin\0");
    Files.writeString(folder.resolve("self/comm"), "kubelet\n");
    assertEquals(
        Optional.of(Map.of("HTTP2_PING_TIMEOUT_SECONDS", "5", "PATH", "/bin")),
        programs().environmentOf("kube-proxy"));
    assertEquals(Optional.empty(), programs().environmentOf("kubelet"));
  }
}
