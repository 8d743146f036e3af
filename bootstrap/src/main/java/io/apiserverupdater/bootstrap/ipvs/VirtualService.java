package io.apiserverupdater.bootstrap.ipvs;

/**
 * A service of IPVS.
 *
 * @param scheduler such as {@code rr}
 * @param hasDestination whether one of its destinations gets new connections: has a weight
 */
public record VirtualService(String scheduler, boolean hasDestination) {}
