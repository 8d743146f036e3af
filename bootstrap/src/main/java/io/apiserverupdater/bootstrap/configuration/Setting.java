package io.apiserverupdater.bootstrap.configuration;

/**
 * The value of a flag, and where it was given.
 *
 * @param origin as a person finds it: {@code --port}, or {@code FILE:LINE: PORT}
 */
record Setting(String origin, String value) {}
