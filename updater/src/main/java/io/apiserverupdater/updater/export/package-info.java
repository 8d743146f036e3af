/**
 * The members of a Service, or nodes, in the file of a load balancer that runs outside the cluster.
 */
@NullMarked
package io.apiserverupdater.updater.export;

import org.jspecify.annotations.NullMarked;
