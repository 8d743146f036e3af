/** The node's hosts file: changes one marked block and keeps every other byte. */
@NullMarked
package io.apiserverupdater.bootstrap.hosts;

import org.jspecify.annotations.NullMarked;
