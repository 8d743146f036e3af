/** Workers that really boot: systemd, containerd, kubelet and kube-proxy, in a host of the lab. */
@NullMarked
package io.apiserverupdater.node;

import org.jspecify.annotations.NullMarked;
