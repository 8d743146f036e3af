/** Where an apiserver is. */
@NullMarked
package io.apiserverupdater.apiserver.address;

import org.jspecify.annotations.NullMarked;
