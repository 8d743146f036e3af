/** Reads the addresses of the control planes from the cluster: {@code default/kubernetes}. */
@NullMarked
package io.apiserverupdater.bootstrap.api;

import org.jspecify.annotations.NullMarked;
