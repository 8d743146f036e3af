/**
 * The boot-time rule of {@code --strategy nft}: connections of this node to the clusterIP go to the
 * control planes for as long as kube-proxy has no rule of its own for it.
 */
@NullMarked
package io.apiserverupdater.bootstrap.nft;

import org.jspecify.annotations.NullMarked;
