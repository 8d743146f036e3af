package io.apiserverupdater.bootstrap.candidates;

/** The bytes are no list that this program has written in full. */
final class CandidateListFormatException extends Exception {
  CandidateListFormatException(String message) {
    super(message);
  }
}
