/** Are the members ready? Asks each of them, all the time, and tells when the answer changes. */
@NullMarked
package io.apiserverupdater.updater.readiness;

import org.jspecify.annotations.NullMarked;
