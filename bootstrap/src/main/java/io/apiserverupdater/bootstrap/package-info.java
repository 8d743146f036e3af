/** The bootstrap: bridges the moment at boot before kube-proxy has rules. */
@NullMarked
package io.apiserverupdater.bootstrap;

import org.jspecify.annotations.NullMarked;
