/** What kube-proxy in IPVS mode has in the kernel, and whether it is kube-proxy's. */
@NullMarked
package io.apiserverupdater.bootstrap.ipvs;

import org.jspecify.annotations.NullMarked;
