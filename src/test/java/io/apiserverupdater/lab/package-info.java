/**
 * The lab: a real Kubernetes control plane, real kube-proxies and network namespaces as hosts, all
 * on one machine and inside a private universe ({@code src/test/lab-namespace}).
 */
@NullMarked
package io.apiserverupdater.lab;

import org.jspecify.annotations.NullMarked;
