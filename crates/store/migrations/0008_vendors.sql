-- Users by the vendor that they belong to, as the host application says.
ALTER TABLE users ADD COLUMN vendor TEXT;
CREATE INDEX users_vendor ON users (vendor) WHERE vendor IS NOT NULL;
