/** Leader election on a Lease by client-go's rules: only the leader may write. */
@NullMarked
package io.apiserverupdater.updater.leaderelection;

import org.jspecify.annotations.NullMarked;
