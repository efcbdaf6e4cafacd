"""The reference of the documents, made of the code so that it cannot say anything else."""
