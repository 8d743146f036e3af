/** Who the control planes are, by the cluster's own account: {@code default/kubernetes}. */
@NullMarked
package io.apiserverupdater.bootstrap.api;

import org.jspecify.annotations.NullMarked;
