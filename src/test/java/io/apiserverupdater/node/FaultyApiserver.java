package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.sandbox.WireServer;
import java.net.InetSocketAddress;
import java.time.Duration;
import okhttp3.tls.HeldCertificate;

/**
 * A {@link WireServer} on port 6443 of an address of the lab's bridge. Closing it gives the address
 * back.
 */
record FaultyApiserver(Fault fault, WireServer server) implements AutoCloseable {
  /** What is wrong with it. */
  enum Fault {
    SILENT(WireServer.Wrong.SILENT, "172.30.4.1", "handshake-timeout"),
    RESET(WireServer.Wrong.RESET, "172.30.4.2", "connection-lost"),
    WRONG_CERTIFICATE(WireServer.Wrong.STRANGER, "172.30.4.3", "certificate"),
    NOT_READY(WireServer.Wrong.NOT_READY, "172.30.4.4", "not-ready"),
    SLOW(WireServer.Wrong.SLOW, "172.30.4.5", "ready");

    private final WireServer.Wrong wrong;
    private final String address;
    private final String finding;

    Fault(WireServer.Wrong wrong, String address, String finding) {
      this.wrong = wrong;
      this.address = address;
      this.finding = finding;
    }

    /** Where it listens, on the bridge. */
    String address() {
      return address;
    }

    /** How the bootstrap names it, if it waits for long enough to find out. */
    String finding() {
      return finding;
    }
  }

  private static final Duration QUICK = Duration.ofSeconds(5);
  private static final String BRIDGE = "lab-bridge";

  /** Starts one, at an address that stands for the fault. */
  static FaultyApiserver start(Fault fault, HeldCertificate ca) {
    Execution.run(QUICK, "ip", "address", "replace", fault.address() + "/16", "dev", BRIDGE)
        .orThrow();
    HeldCertificate signer =
        fault == Fault.WRONG_CERTIFICATE
            ? new HeldCertificate.Builder().commonName("stranger").certificateAuthority(0).build()
            : ca;
    HeldCertificate certificate =
        new HeldCertificate.Builder()
            .commonName("faulty")
            .addSubjectAlternativeName(Lab.APISERVER_NAME)
            .signedBy(signer)
            .build();
    InetSocketAddress address = new InetSocketAddress(fault.address(), Lab.APISERVER_PORT);
    return new FaultyApiserver(fault, WireServer.at(address, certificate, fault.wrong));
  }

  @Override
  public void close() {
    server.close();
    Execution unusedResult =
        Execution.run(QUICK, "ip", "address", "del", fault.address() + "/16", "dev", BRIDGE);
  }
}
