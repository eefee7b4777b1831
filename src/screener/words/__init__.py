"""What people read, in English and Swedish, with numbers, dates and names as each language writes them."""
