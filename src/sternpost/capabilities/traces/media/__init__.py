"""Images, audio and documents of messages: extracted, stored as blobs, shown, and rendered as thumbnails."""
