"""What a release is: names of tags, versions, the block in a tag's message, and the rules (GM5). Pure: values only."""
