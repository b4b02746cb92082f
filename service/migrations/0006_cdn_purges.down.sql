DROP TRIGGER images_replaced_cdn ON images;
DROP TRIGGER images_removed_cdn ON images;
DROP FUNCTION note_cdn_replacement();
DROP FUNCTION note_cdn_removals();
DROP TABLE cdn_purging;
DROP TABLE cdn_purges;
