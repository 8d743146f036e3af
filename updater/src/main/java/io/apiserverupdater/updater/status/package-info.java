/**
 * What a person asks first: who leads, how the members are, whether the target is in step. One
 * model, its rules, and its text, JSON and HTML.
 */
@NullMarked
package io.apiserverupdater.updater.status;

import org.jspecify.annotations.NullMarked;
