/** The kernel rule of {@code --strategy nft}, for the time until kube-proxy has its own. */
@NullMarked
package io.apiserverupdater.bootstrap.nft;

import org.jspecify.annotations.NullMarked;
