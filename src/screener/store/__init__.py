"""All storage: the Parquet lake and the SQL results store. The only package that speaks SQL."""
