/** What the source says, what is there, and what should be there: values and rules, no I/O. */
@NullMarked
package io.apiserverupdater.updater.endpoints;

import org.jspecify.annotations.NullMarked;
