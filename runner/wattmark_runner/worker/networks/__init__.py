"""A loaded network as one thing that infers a range of batches."""
