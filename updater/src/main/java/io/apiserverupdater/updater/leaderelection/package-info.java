/** Which replica may write: election on a Lease, by client-go's rules. */
@NullMarked
package io.apiserverupdater.updater.leaderelection;

import org.jspecify.annotations.NullMarked;
