/** The address of an apiserver: parsing, formatting, host names. */
@NullMarked
package io.apiserverupdater.apiserver.address;

import org.jspecify.annotations.NullMarked;
