/**
 * The boot-time rule of {@code --strategy nft}: connections of this node to the cluster IP go to
 * the control planes until kube-proxy has its own rule for it.
 */
@NullMarked
package io.apiserverupdater.bootstrap.nft;

import org.jspecify.annotations.NullMarked;
