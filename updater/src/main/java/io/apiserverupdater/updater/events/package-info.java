/**
 * What has happened that a person wants to know: the last events, for whoever shows or publishes
 * them.
 */
@NullMarked
package io.apiserverupdater.updater.events;

import org.jspecify.annotations.NullMarked;
