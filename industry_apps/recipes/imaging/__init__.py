"""Imaging: classes of images, regions in them, and images that are written."""
