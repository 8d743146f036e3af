/** The node's hosts file: one marked block in it is ours, everything else stays byte for byte. */
@NullMarked
package io.apiserverupdater.bootstrap.hosts;

import org.jspecify.annotations.NullMarked;
