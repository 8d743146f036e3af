/** What is kept from one run to the next: how far the node has come, and which entry is ours. */
@NullMarked
package io.apiserverupdater.bootstrap.state;

import org.jspecify.annotations.NullMarked;
