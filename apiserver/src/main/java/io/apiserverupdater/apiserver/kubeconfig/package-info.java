/** Kubeconfig files and exec plugins: server, trusted CA and client identity. */
@NullMarked
package io.apiserverupdater.apiserver.kubeconfig;

import org.jspecify.annotations.NullMarked;
