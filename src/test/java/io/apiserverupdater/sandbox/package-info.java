/**
 * A Kubernetes control plane inside the test process: several apiservers on loopback addresses of
 * their own, with real TLS and real HTTP/2, on one store that behaves as etcd behind the API does.
 *
 * <p>{@link io.apiserverupdater.sandbox.SandboxCluster} is the way in.
 */
@NullMarked
package io.apiserverupdater.sandbox;

import org.jspecify.annotations.NullMarked;
